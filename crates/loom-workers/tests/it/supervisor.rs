//! A program that can supervise commands, and does nothing else.

fn main() {
    loom_workers::supervisor_main();
}
