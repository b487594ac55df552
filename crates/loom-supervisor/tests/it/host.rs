//! A program that is its own supervisor: runs the command it is given, and ends as that does.
//! Without a command it runs `echo`.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::io::{stderr, stdin, stdout};
use std::os::fd::AsFd;
use std::process::ExitCode;

use loom_supervisor::{Input, Outcome, Program, Spec, start, supervisor_main};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    supervisor_main();
    let mut command: Vec<OsString> = env::args_os().skip(1).collect();
    if command.is_empty() {
        command = ["echo", "nothing that this has started can get away"].map(Into::into).into();
    }
    let mut command = command.into_iter();
    let spec = Spec::new(command.next().unwrap_or_default())
        .args(command)
        .inherit_env()
        .stdin(Input::File(stdin().as_fd().try_clone_to_owned()?))
        .stdout(stdout().as_fd().try_clone_to_owned()?)
        .stderr(stderr().as_fd().try_clone_to_owned()?);
    let report = start(&Program::host()?, spec)?.wait(None)?.ok_or("it ended without a report")?;
    Ok(match report.outcome {
        Outcome::Exited { code } => ExitCode::from(u8::try_from(code)?),
        _ => ExitCode::FAILURE,
    })
}
