import type { NativeConnection, WorkerDeploymentOptions } from '@temporalio/worker';
import type { Config } from '../config.ts';

/** This worker's deployment version: the build id of the settings, else the hash of the workflows' source. */
export function deploymentOptions(config: Config, sourceHash: string): WorkerDeploymentOptions {
  return {
    useWorkerVersioning: true,
    version: { deploymentName: config.WORKER_DEPLOYMENT_NAME, buildId: config.WORKER_BUILD_ID ?? sourceHash },
    defaultVersioningBehavior: 'AUTO_UPGRADE',
  };
}

/**
 * Makes this worker's version the current one: without that the server would give it nothing to do. The server knows
 * the version from the worker's first poll on, so `false` means: try again a little later.
 */
export async function makeCurrent(connection: NativeConnection, namespace: string, { version }: WorkerDeploymentOptions): Promise<boolean> {
  try {
    await connection.workflowService.setWorkerDeploymentCurrentVersion({
      namespace, deploymentName: version.deploymentName, buildId: version.buildId, ignoreMissingTaskQueues: true, identity: `worker ${process.pid}`,
    });
    return true;
  } catch {
    return false;
  }
}
