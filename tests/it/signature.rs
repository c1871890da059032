mod delimiters;
mod keys;
mod parts;
mod scheme;
mod secret;
mod signer;
mod verify;
