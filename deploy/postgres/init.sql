-- Run by psql at the first start of the application's database, as its superuser. The migrations' role owns the database;
-- the application's login may only become steadfast_app, which owns nothing and which row-level security binds.
\getenv owner_password STEADFAST_OWNER_PASSWORD
\getenv login_password STEADFAST_LOGIN_PASSWORD
CREATE ROLE steadfast_app NOLOGIN NOSUPERUSER NOBYPASSRLS;
-- CREATEROLE: migrations make the roles of other teams' services; it reaches no role that somebody else made.
CREATE ROLE steadfast_owner LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE ROLE steadfast_login LOGIN NOINHERIT PASSWORD :'login_password';
GRANT steadfast_app TO steadfast_owner WITH ADMIN OPTION;
GRANT steadfast_app TO steadfast_login;
CREATE DATABASE steadfast OWNER steadfast_owner;
REVOKE CONNECT ON DATABASE steadfast FROM PUBLIC;
GRANT CONNECT ON DATABASE steadfast TO steadfast_login;
