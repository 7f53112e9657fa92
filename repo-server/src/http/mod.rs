//! The HTTP face of a repository: yum clients' files, the API, and a plain page.

mod access;
mod api;
mod app;
mod index_page;
mod refusal;
mod reply;
mod route;
mod server;
mod yum;

pub use access::{Access, TokenError};
pub use server::{Server, serve};
