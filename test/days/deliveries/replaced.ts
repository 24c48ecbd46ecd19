import {registerHooks} from 'node:module'

const PARTS = new URL('parts.ts', import.meta.url).href

/** Ends of the addresses of modules, and who gets another one in their place. */
const REPLACED: readonly (readonly [module: RegExp, user: RegExp])[] = [
  [/\/platform\/clock\.ts$/, /\/src\//],
  [/\/http\/blocks\/http-event-channel\.ts$|\/sidecar\/list-topics\.ts$/, /\/sidecar\/sidecar-subscriptions\.ts$/],
  [/\/components\/pubsub\/redis\.ts$/, /\/components\/pubsub\/types\.ts$/]
]

/** Call it before anything of src is loaded that delivers events: from then on these modules are those of `parts.ts`. */
export function replaceModules(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const {parentURL = ''} = context
      const path = specifier.startsWith('.') ? new URL(specifier, parentURL).href : specifier
      const isReplaced = REPLACED.some(([module, user]) => module.test(path) && user.test(parentURL))
      return isReplaced ? {url: PARTS, shortCircuit: true} : next(specifier, context)
    }
  })
}
