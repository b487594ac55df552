UPDATE loom_instances SET worker_types = $2 WHERE seq = $1;
