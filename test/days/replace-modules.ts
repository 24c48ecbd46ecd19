import {registerHooks} from 'node:module'

/** Ends of the addresses of modules, and who gets the parts in their place. */
export type Replaced = readonly (readonly [module: RegExp, user: RegExp])[]

/** From now on these modules are those of `parts`, an address, for whoever is named as their user. */
export function replaceBy(parts: string, replaced: Replaced): void {
  registerHooks({
    resolve(specifier, context, next) {
      const {parentURL = ''} = context
      const path = specifier.startsWith('.') ? new URL(specifier, parentURL).href : specifier
      const isReplaced = replaced.some(([module, user]) => module.test(path) && user.test(parentURL))
      return isReplaced ? {url: parts, shortCircuit: true} : next(specifier, context)
    }
  })
}
