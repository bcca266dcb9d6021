import type { NativeConnection, WorkerDeploymentOptions } from '@temporalio/worker';
import type { Config } from '../config/config.ts';
import { grpcCodeOf } from './errors.ts';

/** This worker's deployment version: the build id of the settings, else the hash of the workflows' source. */
export function deploymentOptions(config: Config, sourceHash: string): WorkerDeploymentOptions {
  return {
    useWorkerVersioning: true,
    version: { deploymentName: config.WORKER_DEPLOYMENT_NAME, buildId: config.WORKER_BUILD_ID ?? sourceHash },
    defaultVersioningBehavior: 'AUTO_UPGRADE',
  };
}

/** `newer`: a version that was created later is current; `unknown`: the server has not heard of this version yet. */
export type MadeCurrent = 'current' | 'newer' | 'unknown';

const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;

/**
 * Makes this worker's version the current one: without that the server would give it nothing to do. A version created
 * later is left current, so that a worker of the old one which starts again does not turn a deployment back. The server
 * knows a version from its first poll on.
 */
export async function makeCurrent(
  connection: NativeConnection,
  namespace: string,
  { version: { deploymentName, buildId } }: WorkerDeploymentOptions,
): Promise<MadeCurrent> {
  try {
    const { workerDeploymentInfo } = await connection.workflowService.describeWorkerDeployment({
      namespace,
      deploymentName,
    });
    const createdAtMs = (build: string): number => {
      const found = workerDeploymentInfo?.versionSummaries?.find(
        ({ deploymentVersion }) => deploymentVersion?.buildId === build,
      );
      return Number(found?.createTime?.seconds ?? 0) * 1_000 + (found?.createTime?.nanos ?? 0) / 1e6;
    };
    const current = workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId ?? '';
    if (current === buildId) return 'current';
    if (current !== '' && createdAtMs(current) > createdAtMs(buildId)) return 'newer';
    await connection.workflowService.setWorkerDeploymentCurrentVersion({
      namespace,
      deploymentName,
      buildId,
      ignoreMissingTaskQueues: true,
      identity: `worker ${process.pid}`,
    });
    return 'current';
  } catch (error) {
    const code = grpcCodeOf(error);
    if (code === NOT_FOUND || code === FAILED_PRECONDITION) return 'unknown';
    throw error;
  }
}
