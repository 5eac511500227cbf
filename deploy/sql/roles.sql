-- A role per service, which owns its schema and sees no other. Run it as superuser in the database of the installation, once or again:
--
--   psql -v ON_ERROR_STOP=1 -d openwop -f roles.sql
--
-- Passwords come from the environment: OPENWOP_IDENTITY_PASSWORD and so on. A service whose variable is missing gets a role that cannot log in.
\set ON_ERROR_STOP on
SET client_min_messages = warning;

-- Nobody makes anything that was not given to him.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec

\set identity_password ''
\set workflows_password ''
\set runs_password ''
\set webhooks_password ''
\set scheduler_password ''
\getenv identity_password OPENWOP_IDENTITY_PASSWORD
\getenv workflows_password OPENWOP_WORKFLOWS_PASSWORD
\getenv runs_password OPENWOP_RUNS_PASSWORD
\getenv webhooks_password OPENWOP_WEBHOOKS_PASSWORD
\getenv scheduler_password OPENWOP_SCHEDULER_PASSWORD

CREATE TEMPORARY TABLE openwop_services AS
SELECT service, 'openwop_' || service AS role, password
FROM (VALUES
    ('identity', :'identity_password'),
    ('workflows', :'workflows_password'),
    ('runs', :'runs_password'),
    ('webhooks', :'webhooks_password'),
    ('scheduler', :'scheduler_password')) AS services (service, password);

SELECT format('CREATE ROLE %I', role)
FROM openwop_services WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec

SELECT format('ALTER ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS %s', role,
    CASE WHEN password = '' THEN 'NOLOGIN' ELSE format('LOGIN PASSWORD %L', password) END)
FROM openwop_services \gexec

SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role) FROM openwop_services \gexec

-- A superuser who is none everywhere (as in managed databases) has to be a member of a role to give it a schema.
SELECT format('GRANT %I TO CURRENT_USER', role)
FROM openwop_services WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \gexec

SELECT format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', service, role) FROM openwop_services \gexec
SELECT format('ALTER SCHEMA %I OWNER TO %I', service, role) FROM openwop_services \gexec
SELECT format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', service) FROM openwop_services \gexec

DROP TABLE openwop_services;
