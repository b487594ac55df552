//! Stands in for a tool: writes down what it was started with, says what it is told to say, and ends
//! with the status that it is told to end with.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fs;
use std::io::{Read, Write, stdin, stdout};
use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;

use serde_json::{Value, json};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut prompt = String::new();
    stdin().read_to_string(&mut prompt)?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    let variables: BTreeMap<String, String> = env::vars().collect();
    let files: Vec<Value> = arguments.iter().filter_map(|argument| file(argument)).collect();
    let report = json!({
        "arguments": arguments,
        "stdin": prompt,
        "variables": variables,
        "files": files,
        "cwd": env::current_dir()?,
    });
    fs::write(env::var("STAND_IN_REPORT")?, report.to_string())?;
    stdout().write_all(&fs::read(env::var("STAND_IN_SAYS")?)?)?;
    Ok(ExitCode::from(env::var("STAND_IN_EXIT")?.parse::<u8>()?))
}

/// A file that an argument names: its content and its mode.
fn file(argument: &str) -> Option<Value> {
    let path = argument.strip_prefix("--file=")?;
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    Some(json!({ "path": path, "content": fs::read_to_string(path).ok()?, "mode": mode }))
}
