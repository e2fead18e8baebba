-- Run once, by the PostgreSQL image, in a new cluster.
-- The portal owns its database and is no superuser, so it cannot read files, run programs
-- or become somebody else. Afterwards the superuser has no password: only a shell in the
-- container is it.
\getenv password POSTGRES_PASSWORD
CREATE ROLE countersign LOGIN PASSWORD :'password';
CREATE DATABASE countersign OWNER countersign;
ALTER ROLE postgres PASSWORD NULL;
