//! Release notes.
