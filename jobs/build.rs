//! A new migration file must rebuild the crate that compiles it in.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
