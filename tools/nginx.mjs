import { ProvisioningError, versionOf } from './provisioning.mjs';

// Where it is without being on the PATH of a user who is not root.
const PLACES = ['nginx', '/usr/sbin/nginx', '/usr/local/sbin/nginx', '/opt/homebrew/bin/nginx'];

/** The nginx of this machine, or undefined without one. */
export function findNginx() {
  return PLACES.find((file) => versionOf(file, ['-v']));
}

/** Says what to do where there is no nginx, with which the tests try deploy/nginx/nginx.conf. */
export function requireNginx() {
  if (findNginx()) return;
  throw new ProvisioningError(
    "npm test needs nginx to try the proxy's own file (deploy/nginx/nginx.conf): install it, as by " +
      '`apt-get install --no-install-recommends nginx`, and run this again. It need not be started.',
  );
}
