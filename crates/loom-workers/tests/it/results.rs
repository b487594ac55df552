//! What a command's end makes of its attempt.

use std::sync::Arc;

use async_trait::async_trait;
use loom_core::{
    Case, CrashPolicy, ErrorKind, FailureCode, QualityGate, Task, TaskContext, Worker, WorkerError,
};
use loom_deps::{Clock, FakeClock, Timer};
use loom_testkit::within;
use loom_workers::{
    Command, CommandLine, Exit, Intake, Run, Runner, SubprocessBase, command_request, keys,
};

use crate::support::{LONG, command, run, shell, task, worker};

#[tokio::test]
async fn a_command_that_prints_hello_has_that_as_its_result() {
    let result = run(&command(&["echo", "hello"])).await.unwrap();
    assert_eq!(result.content, "hello\n");
    assert_eq!(result.metadata[keys::EXIT_CODE], 0);
    assert!(result.metadata[keys::DURATION_MS].is_u64());
    assert!(!result.metadata.contains_key(keys::STDERR));
    assert!(!result.metadata.contains_key(keys::SIGNAL));
    assert!(!result.metadata.contains_key(keys::OUTPUT_TRUNCATED));
}

#[tokio::test]
async fn a_command_may_print_nothing() {
    let result = run(&command(&["true"])).await.unwrap();
    assert_eq!(result.content, "");
}

#[tokio::test]
async fn what_is_said_on_stderr_is_kept_apart() {
    let result = run(&shell("echo out; echo err >&2")).await.unwrap();
    assert_eq!(result.content, "out\n");
    assert_eq!(result.metadata[keys::STDERR], "err\n");
}

#[tokio::test]
async fn a_failed_command_keeps_its_output_and_says_what_was_wrong() {
    let script = "echo half; echo warning >&2; echo 'no such thing' >&2; echo >&2; exit 3";
    let error = run(&shell(script)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permanent);
    assert_eq!(error.code(), FailureCode::ExitStatus);
    assert_eq!(error.message(), "exit status 3: no such thing");
    let output = error.output().unwrap();
    assert_eq!(output.content, "half\n");
    assert_eq!(output.metadata[keys::EXIT_CODE], 3);
    assert_eq!(output.metadata[keys::STDERR], "warning\nno such thing\n\n");
}

#[tokio::test]
async fn the_last_words_in_an_error_are_bounded() {
    let script = "head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1";
    let error = run(&shell(script)).await.unwrap_err();
    assert!(error.message().len() < 600, "{}", error.message().len());
}

#[tokio::test]
async fn a_command_ended_by_a_signal_names_it() {
    let error = run(&shell("echo half; kill -KILL $$")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permanent);
    assert_eq!(error.code(), FailureCode::Signal);
    assert_eq!(error.message(), "ended by SIGKILL");
    let output = error.output().unwrap();
    assert_eq!(output.content, "half\n");
    assert_eq!(output.metadata[keys::SIGNAL], 9);
    assert!(!output.metadata.contains_key(keys::EXIT_CODE));
}

#[tokio::test]
async fn a_worker_may_have_failures_repeated() {
    for script in ["exit 3", "kill -TERM $$"] {
        let worker = worker().retry_failures(true);
        let end = worker.execute(&TaskContext::new(), &shell(script)).await;
        assert_eq!(end.unwrap_err().kind(), ErrorKind::Transient, "{script}");
    }
}

#[tokio::test]
async fn a_later_attempt_takes_back_what_an_earlier_one_said() {
    let mut task = command(&["true"]);
    task.metadata.insert(keys::SIGNAL.into(), 9.into());
    task.metadata.insert(keys::STDERR.into(), "oh no".into());
    let result = run(&task).await.unwrap();
    assert!(result.metadata[keys::SIGNAL].is_null());
    assert!(result.metadata[keys::STDERR].is_null());
    assert_eq!(result.metadata[keys::EXIT_CODE], 0);
}

#[tokio::test]
async fn the_error_of_a_resolver_is_the_attempts() {
    #[derive(Debug, thiserror::Error)]
    #[error("no such profile")]
    struct NoProfile;

    let worker = SubprocessBase::new(|_: &Task| Err(WorkerError::from(NoProfile)));
    let end = worker.execute(&TaskContext::new(), &shell("true")).await;
    let error = end.unwrap_err();
    assert!(error.source().unwrap().is::<NoProfile>());
}

#[tokio::test]
async fn a_resolver_makes_a_command_of_the_task() {
    let worker =
        SubprocessBase::new(|task: &Task| Ok(Command::new("echo").arg(task.prompt.as_str())));
    let task = task(loom_core::TaskRequest::new("say", "$(hello) *"));
    let result = worker.execute(&TaskContext::new(), &task).await.unwrap();
    assert_eq!(result.content, "$(hello) *\n", "there is no shell in between");
}

#[tokio::test]
async fn many_commands_run_at_once_and_none_gets_anothers_end() {
    let worker = Arc::new(worker());
    let attempts: Vec<_> = (0..64)
        .map(|number| {
            let worker = Arc::clone(&worker);
            let task = shell(&format!("echo {number}; exit {number}"));
            tokio::spawn(async move { worker.execute(&TaskContext::new(), &task).await })
        })
        .collect();
    for (number, attempt) in attempts.into_iter().enumerate() {
        let end = within(LONG, attempt).await.unwrap();
        let output = end.unwrap_or_else(|mut error| error.take_output().unwrap());
        assert_eq!(output.content, format!("{number}\n"));
        assert_eq!(output.metadata[keys::EXIT_CODE], number);
    }
}

#[tokio::test]
async fn a_command_ends_also_while_the_clock_stands_still() {
    let clock = Arc::new(FakeClock::default());
    let worker = worker().time(Arc::clone(&clock) as Arc<dyn Clock>, clock as Arc<dyn Timer>);
    let (cx, task) = (TaskContext::new(), command(&["echo", "hi"]));
    let result = within(LONG, worker.execute(&cx, &task)).await.unwrap();
    assert_eq!(result.content, "hi\n");
    assert_eq!(result.metadata[keys::DURATION_MS], 0);
}

#[tokio::test]
async fn commands_are_judged_by_their_status_alone_unless_told_otherwise() {
    let task = command(&["true"]);
    let judge = |worker: &SubprocessBase| {
        let gate = worker.gate().unwrap();
        gate.judge(&Case::new(&task, "", &[])).accept
    };
    assert!(judge(&worker()));
    assert!(!judge(&worker().gate(QualityGate::default())));
}

#[tokio::test]
async fn what_becomes_of_a_task_after_a_crash_can_be_set() {
    assert_eq!(Worker::crash_policy(&worker()), CrashPolicy::Fail);
    let rerun = worker().crash_policy(CrashPolicy::Rerun);
    assert_eq!(Worker::crash_policy(&rerun), CrashPolicy::Rerun);
}

#[tokio::test]
async fn another_runner_may_run_the_commands() {
    struct Pretend;

    #[async_trait]
    impl Runner for Pretend {
        async fn run(
            &self,
            run: &Run<'_>,
            stdout: &mut Intake<'_>,
            stderr: &mut Intake<'_>,
        ) -> Result<Exit, WorkerError> {
            stdout.take(run.command.program.as_encoded_bytes()).await;
            stderr.take(b"as if").await;
            Ok(Exit::code(4))
        }
    }

    let worker = SubprocessBase::new(CommandLine).runner(Pretend);
    let end = worker.execute(&TaskContext::new(), &command(&["fly"])).await;
    let error = end.unwrap_err();
    assert_eq!(error.message(), "exit status 4: as if");
    assert_eq!(error.output().unwrap().content, "fly");
}

#[tokio::test]
async fn a_memory_dump_is_told() {
    struct Dumps;

    #[async_trait]
    impl Runner for Dumps {
        async fn run(
            &self,
            _run: &Run<'_>,
            _stdout: &mut Intake<'_>,
            _stderr: &mut Intake<'_>,
        ) -> Result<Exit, WorkerError> {
            Ok(Exit::signal(11).core_dumped(true))
        }
    }

    let worker = SubprocessBase::new(CommandLine).runner(Dumps);
    let end = worker.execute(&TaskContext::new(), &command(&["fly"])).await;
    assert_eq!(end.unwrap_err().output().unwrap().metadata[keys::CORE_DUMPED], true);
}

#[tokio::test]
async fn a_runner_that_fails_midway_loses_no_output() {
    struct Broken;

    #[async_trait]
    impl Runner for Broken {
        async fn run(
            &self,
            _run: &Run<'_>,
            stdout: &mut Intake<'_>,
            _stderr: &mut Intake<'_>,
        ) -> Result<Exit, WorkerError> {
            stdout.take(b"half").await;
            Err(WorkerError::transient("the machine is gone"))
        }
    }

    let worker = SubprocessBase::new(CommandLine).runner(Broken);
    let end = worker.execute(&TaskContext::new(), &command(&["fly"])).await;
    let error = end.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert_eq!(error.output().unwrap().content, "half");
}

#[test]
fn a_command_request_is_readable_and_can_be_taken() {
    let request = command_request("command", ["/usr/bin/git", "commit", "-m", "it's done"]);
    assert_eq!(request.prompt, r#"/usr/bin/git commit -m "it's done""#);
    assert_eq!(request.cli.as_deref(), Some("git"));
    assert_eq!(request.metadata[keys::ARGV][3], "it's done");
    assert!(request.check().is_ok());
}

#[test]
fn debug_shows_no_argument_no_value_and_no_input() {
    let command = Command::new("tool")
        .arg("canary-argument")
        .env("KEY", "canary-value")
        .stdin(loom_workers::Stdin::text("canary-input"));
    let shown = format!("{command:?}");
    assert!(shown.contains("tool") && shown.contains("KEY"));
    assert!(!shown.contains("canary"), "{shown}");
}
