mod flow;
mod payload;
mod recover;
