//! What holds together everything that a command starts, in each mode that can be used here.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Arc;

use loom_core::{
    CancelReason, Cancellation, ErrorKind, FailureCode, Task, TaskContext, Worker, WorkerError,
    WorkerResult,
};
use loom_supervisor::{Program, Spec};
use loom_testkit::within;
use loom_workers::{
    CommandLine, ProcessRunner, Resolver, Stdin, SubprocessBase, TreeMode, keys, kill_tree,
};
use rustix::fs::{FlockOperation, flock};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::process::{Pid, Signal};

use crate::support::{
    LONG, SHORT, Tee, command, is_running, marked, pid, shell, signal, state, until, worker,
};

/// A grandchild in a session of its own, whose parent is gone. It says its id, closes its outputs
/// and stays.
const DOUBLE_FORKED: &str = "setsid sh -c 'sh -c \"echo \\$\\$; exec >&- 2>&-; sleep 1000; sleep 1000\" & \
                             exit 0'";

/// A program that can supervise commands.
const SUPERVISOR: &str = env!("CARGO_BIN_EXE_loom-test-supervisor");

fn modes() -> impl Iterator<Item = TreeMode> {
    let modes = [TreeMode::Cgroup, TreeMode::Supervisor, TreeMode::Sweep];
    modes.into_iter().filter(|mode| runner(*mode).in_use().is_ok())
}

fn runner(mode: TreeMode) -> ProcessRunner {
    ProcessRunner::new().mode(mode).supervisor(SUPERVISOR)
}

fn has_cgroups() -> bool {
    modes().any(|mode| mode == TreeMode::Cgroup)
}

fn held(mode: TreeMode) -> SubprocessBase {
    worker().runner(runner(mode)).grace(SHORT)
}

async fn run(mode: TreeMode, task: &Task) -> WorkerResult {
    within(LONG, held(mode).execute(&TaskContext::new(), task)).await.unwrap()
}

/// Runs a task until its first line has come, which is the id of a process, and then tells it to
/// stop.
async fn told(worker: SubprocessBase, task: &Task, reason: CancelReason) -> (WorkerError, Pid) {
    let (tee, cancellation) = (Tee::new(), Cancellation::new());
    let worker = worker.tee(Arc::clone(&tee) as _);
    let cx = TaskContext::new().with_cancellation(cancellation.clone());
    let tell = async {
        let pid = tee.pid().await;
        cancellation.cancel(reason);
        pid
    };
    let (end, pid) = within(LONG, async { tokio::join!(worker.execute(&cx, task), tell) }).await;
    (end.unwrap_err(), pid)
}

/// The directory of a cgroup whose path the system has told.
fn directory(told: &str) -> PathBuf {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mount = mounts.lines().find(|line| line.contains(" - cgroup2 ")).unwrap();
    let mut fields = mount.split(' ').skip(3);
    let (root, point) = (fields.next().unwrap(), fields.next().unwrap());
    let path = told.trim().strip_prefix("0::").unwrap().strip_prefix(root.trim_end_matches('/'));
    PathBuf::from(point).join(path.unwrap().trim_start_matches('/'))
}

fn own_directory() -> PathBuf {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap();
    directory(own.lines().find(|line| line.starts_with("0::")).unwrap())
}

#[tokio::test]
async fn a_double_forked_grandchild_is_gone_when_its_command_has_ended() {
    for mode in modes() {
        let result = run(mode, &shell(&format!("echo $({DOUBLE_FORKED})"))).await;
        assert!(!is_running(pid(&result.content)), "{mode:?}");
    }
}

#[tokio::test]
async fn a_double_forked_grandchild_is_gone_when_its_command_was_told_to_stop() {
    for mode in modes() {
        for reason in [CancelReason::Requested, CancelReason::Timeout] {
            let task = shell(&format!("{DOUBLE_FORKED}; sleep 1000"));
            let (_, grandchild) = told(held(mode), &task, reason).await;
            assert!(!is_running(grandchild), "{mode:?} {reason:?}");
        }
    }
}

#[tokio::test]
async fn a_double_forked_grandchild_goes_with_a_dropped_attempt() {
    for mode in modes() {
        let task = shell(&format!("{DOUBLE_FORKED}; sleep 1000"));
        let tee = Tee::new();
        let worker = held(mode).tee(Arc::clone(&tee) as _);
        let cx = TaskContext::new();
        let grandchild = tokio::select! {
            end = worker.execute(&cx, &task) => panic!("ended before it was dropped: {end:?}"),
            pid = within(LONG, tee.pid()) => pid,
        };
        within(LONG, until(|| !is_running(grandchild))).await;
    }
}

#[tokio::test]
async fn nothing_gets_out_of_a_cgroup_or_away_from_a_supervisor() {
    for mode in modes().filter(|mode| *mode != TreeMode::Sweep) {
        let task = shell(&format!("echo $(env -i {DOUBLE_FORKED})"));
        let result = run(mode, &task).await;
        assert!(!is_running(pid(&result.content)), "{mode:?}");
    }
}

/// What the system calls the program of a process.
fn name(pid: Pid) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

fn parent(pid: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok().and_then(Pid::from_raw)
}

#[tokio::test]
async fn a_command_whose_supervisor_was_killed_is_ended_and_fails() {
    let tee = Tee::new();
    let worker = held(TreeMode::Supervisor).tee(Arc::clone(&tee) as _);
    let task = shell("setsid sh -c 'echo $$; exec sleep 1000' & wait");
    let cx = TaskContext::new();
    let strike = async {
        let sleeper = tee.pid().await;
        let supervisor = parent(parent(sleeper).unwrap()).unwrap();
        assert_eq!(name(supervisor), "loom-supervisor");
        signal(supervisor, Signal::KILL);
        sleeper
    };
    let both = async { tokio::join!(worker.execute(&cx, &task), strike) };
    let (end, sleeper) = within(LONG, both).await;
    let error = end.unwrap_err();
    assert!(error.message().contains("supervisor"), "{error}");
    assert!(!is_running(sleeper));
    assert_eq!(marked(&task), [""; 0]);
}

#[tokio::test]
async fn reaping_waits_for_the_supervisor_of_the_dead() {
    let task = shell("true");
    let program = Program::at(SUPERVISOR).mark("LOOM_SUPERVISES", task.id.as_str());
    let deaf = "trap '' TERM; echo $$; while :; do sleep 0.1; done";
    let (told, tell) = std::io::pipe().unwrap();
    let spec = Spec::new("/bin/sh").args(["-c", deaf]).env("PATH", "/usr/bin:/bin");
    let held = loom_supervisor::start(&program, spec.stdout(tell).grace(SHORT * 10)).unwrap();
    let mut line = String::new();
    BufReader::new(told).read_line(&mut line).unwrap();
    // So it is when the process that holds it dies: nothing that is left carries a mark.
    drop(held);
    within(LONG, worker().reap(&task)).await.unwrap();
    assert!(!is_running(pid(&line)));
}

#[tokio::test]
async fn what_a_supervisor_cannot_start_is_told_as_in_every_mode() {
    for mode in modes() {
        let end = held(mode).execute(&TaskContext::new(), &command(&["/no/such/program"])).await;
        let error = end.unwrap_err();
        assert_eq!(error.code(), FailureCode::SpawnFailed, "{mode:?}");
        assert_eq!(error.output().unwrap().metadata[keys::SPAWN_ERROR], "not_found", "{mode:?}");
        assert!(error.message().contains("cannot find the program"), "{mode:?}: {error}");
        let end = held(mode).execute(&TaskContext::new(), &command(&["/etc/passwd"])).await;
        let error = end.unwrap_err();
        assert!(error.message().contains("cannot run \"/etc/passwd\""), "{mode:?}: {error}");
    }
}

#[tokio::test]
async fn a_program_that_is_no_supervisor_is_refused() {
    let runner = ProcessRunner::new().mode(TreeMode::Supervisor).supervisor("/bin/true");
    let end = worker().runner(runner).execute(&TaskContext::new(), &shell("true")).await;
    let error = end.unwrap_err();
    assert!(error.message().contains("is no supervisor"), "{error}");
}

#[tokio::test]
async fn a_command_finds_what_it_is_given_in_every_mode() {
    for mode in modes() {
        let script = "echo $0 $LOOM_SUPERVISES; pwd; cat; echo oops >&2";
        let mut task = shell(script);
        task.cwd = Some("/".to_owned());
        let worker = SubprocessBase::new(|task: &Task| {
            Ok(CommandLine.resolve(task)?.stdin(Stdin::text("read\n")))
        });
        let worker = worker.runner(runner(mode));
        let result = within(LONG, worker.execute(&TaskContext::new(), &task)).await.unwrap();
        assert_eq!(result.content, "sh\n/\nread\n", "{mode:?}");
        assert_eq!(result.metadata[keys::STDERR], "oops\n", "{mode:?}");
    }
}

#[tokio::test]
async fn a_command_that_has_stopped_hears_that_it_is_to_end() {
    for mode in modes() {
        let task = shell("trap 'echo bye; exit' TERM; echo $$; while :; do kill -STOP $$; done");
        let (tee, cancellation) = (Tee::new(), Cancellation::new());
        let worker = worker().runner(runner(mode)).grace(LONG * 2).tee(Arc::clone(&tee) as _);
        let cx = TaskContext::new().with_cancellation(cancellation.clone());
        let tell = async {
            let pid = tee.pid().await;
            until(|| state(pid) == Some('T')).await;
            cancellation.cancel(CancelReason::Requested);
        };
        let both = async { tokio::join!(worker.execute(&cx, &task), tell) };
        let error = within(LONG, both).await.0.unwrap_err();
        assert!(error.output().unwrap().content.ends_with("bye\n"), "{mode:?}");
    }
}

#[tokio::test]
async fn a_command_has_a_cgroup_of_its_own_that_is_removed() {
    if !has_cgroups() {
        return;
    }
    let result = run(TreeMode::Cgroup, &shell("grep ^0:: /proc/self/cgroup")).await;
    let own = directory(&result.content);
    let home = own.parent().unwrap();
    let name = format!("loom.{}.", std::process::id());
    assert!(home.file_name().unwrap().to_str().unwrap().starts_with(&name), "{home:?}");
    assert!(!own.exists());
    // The home is there as long as any command runs, those of other tests included.
    within(LONG, until(|| !home.exists())).await;
}

#[tokio::test]
async fn cgroups_that_a_command_has_made_are_removed_too() {
    if !has_cgroups() {
        return;
    }
    let own = own_directory();
    let script = "sub=$1/$(sed -n 's|^0::.*/\\(loom[^/]*/[0-9]*\\)$|\\1|p' /proc/self/cgroup)/a/b; \
                  mkdir -p $sub; echo $$ > $sub/cgroup.procs; setsid sleep 1000 >&- 2>&- & \
                  grep ^0:: /proc/self/cgroup";
    let task = command(&["sh", "-c", script, "sh", own.to_str().unwrap()]);
    let result = run(TreeMode::Cgroup, &task).await;
    let (path, own) = (result.content.trim(), directory(&result.content));
    assert!(path.ends_with("/a/b"), "{path}");
    assert!(!own.ancestors().nth(2).unwrap().exists());
}

#[tokio::test]
async fn a_tree_without_marks_can_be_killed_by_the_id_of_its_task() {
    if !has_cgroups() {
        return;
    }
    let task = shell("env -i setsid sh -c 'echo $$; exec sleep 1000'; exit 3");
    let tee = Tee::new();
    let worker = held(TreeMode::Cgroup).tee(Arc::clone(&tee) as _);
    let kill = async {
        let pid = tee.pid().await;
        kill_tree(&task.id);
        pid
    };
    let cx = TaskContext::new();
    let both = async { tokio::join!(worker.execute(&cx, &task), kill) };
    let (end, pid) = within(LONG, both).await;
    assert_eq!(end.unwrap_err().output().unwrap().metadata[keys::SIGNAL], 9);
    assert!(!is_running(pid));
}

/// A home as another process would make it, with a process in it.
struct Home {
    path: PathBuf,
    lock: Option<File>,
    child: Child,
}

impl Home {
    fn make(number: u32) -> Self {
        // No process has an id like that.
        let name = format!("loom.4194305{}.{number}", std::process::id());
        let path = own_directory().join(name);
        // Others look for homes of dead processes at the same time.
        let lock = loop {
            let _ = fs::create_dir(&path);
            let Ok(lock) = File::open(&path) else { continue };
            let is_mine = flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok();
            if is_mine && fs::create_dir(path.join("0")).is_ok() {
                break lock;
            }
        };
        let child = Command::new("sleep").arg("1000").env_clear().spawn().unwrap();
        fs::write(path.join("0/cgroup.procs"), child.id().to_string()).unwrap();
        Self { path, lock: Some(lock), child }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir(self.path.join("0"));
        let _ = fs::remove_dir(&self.path);
    }
}

#[tokio::test]
async fn reaping_ends_what_is_left_in_the_cgroups_of_the_dead_but_not_of_the_living() {
    if !has_cgroups() {
        return;
    }
    let (mut dead, mut living) = (Home::make(0), Home::make(1));
    // So it is when a process dies. A child that is being started may have the lock a little longer.
    dead.lock = None;
    let reaped = async {
        while dead.path.exists() {
            worker().reap(&shell("true")).await.unwrap();
        }
    };
    within(LONG, reaped).await;
    let status = dead.child.wait().unwrap();
    assert!(matches!(status.signal(), Some(9 | 15)), "{status}");
    assert_eq!(living.child.try_wait().unwrap(), None);
    assert!(living.lock.is_some());
}

#[tokio::test]
async fn a_mode_that_cannot_be_used_is_an_error_that_says_so() {
    let runner = ProcessRunner::new().mode(TreeMode::Supervisor);
    assert_eq!(runner.in_use().unwrap_err().mode, TreeMode::Supervisor);
    let worker = worker().tree(TreeMode::Supervisor);
    let end = worker.execute(&TaskContext::new(), &shell("true")).await;
    let error = end.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Permanent, FailureCode::SpawnFailed));
    assert!(error.message().contains("held together by supervisor"), "{error}");
    assert!(error.message().contains("`loom::supervisor_main()`"), "{error}");
    assert!(error.message().contains("TreeMode::Auto"), "{error}");
}

#[tokio::test]
async fn the_best_mode_that_can_be_used_is() {
    let best = if has_cgroups() { TreeMode::Cgroup } else { TreeMode::Sweep };
    assert_eq!(ProcessRunner::new().in_use(), Ok(best));
    let best = if has_cgroups() { TreeMode::Cgroup } else { TreeMode::Supervisor };
    assert_eq!(runner(TreeMode::Auto).in_use(), Ok(best));
}

#[tokio::test]
async fn a_command_inherits_no_file_that_the_host_has_open() {
    let file = File::open("/dev/null").unwrap();
    let leaked = fcntl_dupfd_cloexec(&file, 100).unwrap();
    fcntl_setfd(&leaked, FdFlags::empty()).unwrap();
    let script = format!("test -e /proc/self/fd/{} && echo leaked; echo done", leaked.as_raw_fd());
    for mode in modes() {
        assert_eq!(run(mode, &shell(&script)).await.content, "done\n", "{mode:?}");
    }
}

#[tokio::test]
async fn signals_do_in_a_command_what_they_do_by_default() {
    let here = fs::read_to_string("/proc/self/status").unwrap();
    let ignored = here.lines().find(|line| line.starts_with("SigIgn")).unwrap();
    assert!(!ignored.ends_with("\t0000000000000000"), "otherwise there is nothing to see");
    for mode in modes() {
        let task = command(&["grep", "-E", "SigIgn|SigBlk", "/proc/self/status"]);
        let told = run(mode, &task).await.content;
        let set = |name| {
            let set = told.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            u64::from_str_radix(set.trim(), 16).unwrap()
        };
        // Two belong to the C library, and a supervisor can only leave them as they were.
        let untouched = if mode == TreeMode::Supervisor { 0b11 << 31 } else { 0 };
        assert_eq!((set("SigBlk:"), set("SigIgn:") & !untouched), (0, 0), "{mode:?}: {told}");
    }
}

#[tokio::test]
async fn what_a_command_has_used_is_told() {
    for mode in modes() {
        let memory = 512 << 20;
        let script = format!(
            "dd if=/dev/zero of=/dev/null bs={memory} count=1 2>&-; \
             i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"
        );
        let metadata = run(mode, &shell(&script)).await.metadata;
        assert!(metadata[keys::USER_TIME_MS].as_u64().unwrap() > 0, "{mode:?}");
        assert!(metadata[keys::SYSTEM_TIME_MS].as_u64().unwrap() > 0, "{mode:?}");
        let peak = metadata[keys::PEAK_MEMORY_BYTES].as_u64().unwrap();
        assert!((memory..memory * 2).contains(&peak), "{mode:?}: {peak}");
    }
}

#[tokio::test]
async fn memory_that_is_the_hosts_is_not_counted_as_the_commands() {
    let mine = vec![1_u8; 32 << 20];
    for mode in modes() {
        let result = run(mode, &command(&["true"])).await;
        let peak = result.metadata.get(keys::PEAK_MEMORY_BYTES);
        assert_eq!(peak, None, "{mode:?} {}", mine.len());
    }
}

#[tokio::test]
async fn a_long_command_leaves_nothing_behind_either() {
    // Longer than it takes until the ids of processes might begin anew.
    let script = "sleep 0.2; setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.1";
    for mode in modes() {
        let result = run(mode, &shell(script)).await;
        assert!(!is_running(pid(&result.content)), "{mode:?}");
    }
}
