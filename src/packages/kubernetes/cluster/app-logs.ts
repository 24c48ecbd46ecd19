import type {AppLog, SidecarLog} from '../../../observe/logging/app-log.ts'

/** Logs of an app and of its sidecar, for all its pods. */
export interface AppLogs {
  readonly app: AppLog
  readonly sidecar: SidecarLog
}
