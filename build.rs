//! Refuses to build where SQLite would lack the flags that Parlor needs. They are in
//! `.cargo/config.toml`, which cargo reads only if it is called inside the repository.

/// `.cargo/config.toml` says why Parlor needs each of them.
const NEEDED: [&str; 2] = ["-DHAVE_FDATASYNC=1", "-DSQLITE_ENABLE_DBPAGE_VTAB=1"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIBSQLITE3_FLAGS");
    let flags = std::env::var("LIBSQLITE3_FLAGS").unwrap_or_default();
    let missing =
        NEEDED.iter().find(|needed| !flags.split_whitespace().any(|flag| flag == **needed));
    if let Some(missing) = missing {
        println!(
            "cargo::error=SQLite would be built without {missing}; \
             call cargo in the folder of Parlor's source, or set LIBSQLITE3_FLAGS as .cargo/config.toml there does"
        );
    }
}
