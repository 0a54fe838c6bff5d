mod behaviour;
mod recordings;
mod saved;
