SELECT EXISTS (SELECT 1 FROM loom_instances WHERE seq = ?1);
