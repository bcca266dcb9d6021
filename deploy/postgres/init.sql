-- Run by psql at the first start of the application's database, as its superuser. The migrations' role owns the database;
-- the two log-ins of API and workers own nothing, can become nothing else, and row-level security binds them.
\getenv owner_password STEADFAST_OWNER_PASSWORD
\getenv login_password STEADFAST_LOGIN_PASSWORD
\getenv system_password STEADFAST_SYSTEM_PASSWORD
-- Of the version before; the first migration grants to it.
CREATE ROLE steadfast_app NOLOGIN NOSUPERUSER NOBYPASSRLS;
-- CREATEROLE: migrations make the roles of other teams' services; it reaches no role that somebody else made.
CREATE ROLE steadfast_owner LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE ROLE steadfast_tenant LOGIN PASSWORD :'login_password';
CREATE ROLE steadfast_system LOGIN PASSWORD :'system_password';
GRANT pg_read_all_stats TO steadfast_system;
GRANT steadfast_app TO steadfast_owner WITH ADMIN OPTION;
CREATE DATABASE steadfast OWNER steadfast_owner;
REVOKE CONNECT, TEMPORARY ON DATABASE steadfast FROM PUBLIC;
GRANT CONNECT ON DATABASE steadfast TO steadfast_tenant, steadfast_system;
