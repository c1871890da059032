mod delimiters;
mod keys;
mod parts;
mod properties;
mod scheme;
mod secret;
mod signer;
mod verify;
