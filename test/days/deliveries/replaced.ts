import {replaceBy, type Replaced} from '../replace-modules.ts'

const PARTS = new URL('parts.ts', import.meta.url).href

const REPLACED: Replaced = [
  [/\/platform\/clock\.ts$/, /\/src\//],
  [/\/http\/blocks\/http-event-channel\.ts$|\/sidecar\/list-topics\.ts$/, /\/sidecar\/sidecar-subscriptions\.ts$/],
  [/\/components\/pubsub\/redis\.ts$/, /\/components\/block-types\.ts$/]
]

/** Call it before anything of src is loaded that delivers events: from then on these modules are those of `parts.ts`. */
export const replaceModules = (): void => replaceBy(PARTS, REPLACED)
