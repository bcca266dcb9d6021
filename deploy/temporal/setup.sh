#!/bin/sh
# Brings the schemas of Temporal's two databases to the version of this image; run again, it changes nothing.
set -eu

update() {
  database=$1
  schema=$2
  tool="temporal-sql-tool --plugin postgres12 --endpoint $SQL_HOST --port ${SQL_PORT:-5432} --user $SQL_USER --database $database"
  $tool create-database
  # setup-schema begins at version 0.0: only for a database that has no version yet, which update-schema refuses.
  $tool update-schema --schema-name "$schema" || {
    $tool setup-schema --version 0.0
    $tool update-schema --schema-name "$schema"
  }
}

update temporal postgresql/v12/temporal
update temporal_visibility postgresql/v12/visibility
