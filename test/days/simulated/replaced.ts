import {replaceBy, type Replaced} from '../replace-modules.ts'

const PARTS = new URL('parts.ts', import.meta.url).href
const RUN = /\/src\/(run|supervisor)\//
const WATCHER = /\/src\/files\/watcher\//

/** What is replaced, and for whom. */
export const REPLACED: Replaced = [
  [/\/platform\/clock\.ts$/, /\/src\//],
  [/\/platform\/(pipes|probe)\.ts$/, RUN],
  [/\/process\/(app-process|foreign-listener|watchdog)\.ts$/, RUN],
  [/\/process\/end-group\.ts$/, /\/close-app\.ts$/],
  [/\/ports\/(claim|claim-all|app-port)\.ts$/, RUN],
  [
    /\/ports\/(bind|app-port)\.ts$|\/published\/published-port\.ts$|\/net\/claimed-server\.ts$/,
    /\/published\/published-ports\.ts$/
  ],
  [/\/sidecar\/open-sidecar\.ts$/, RUN],
  [
    /\/run\/(run-resources|run-components|run-daprd|run-spans|run-names|last-exits|sweep|duplicate-run|apps\/open-logs)\.ts$/,
    RUN
  ],
  [/\/logging\/old-logs\.ts$/, RUN],
  [/\/control\/(folder|server)\.ts$/, RUN],
  [/\/control\/sidecar-leases\.ts$/, /\/src\/control\/peer-runs\.ts$/],
  [/^chokidar$|^node:fs(\/promises)?$|\/(mounts|gitignore)\.ts$/, WATCHER]
]

/** Call it before anything of src is loaded: from then on these modules are those of `parts.ts`, for whoever is named as their user. */
export const replaceModules = (): void => replaceBy(PARTS, REPLACED)
