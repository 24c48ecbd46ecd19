import type {Environment} from '../../model/environment.ts'
import {ownOf} from '../../model/own.ts'
import {isBlock, splitType} from './component-types.ts'
import type {ComponentResource} from './components.ts'

export const isBuilt = ({capabilities}: Pick<ComponentResource, 'capabilities'>): boolean => capabilities !== undefined

/** Whether Dapr knows the type of a component, and Pillion does not serve it. */
export const isUnbuilt = (component: ComponentResource): boolean => !isBuilt(component) && component.isOfDapr

/** Whether a component is opened for calls. An unknown type fails at the start, except in Dapr's own folder. */
export const isOpened = (component: ComponentResource): boolean =>
  (isBuilt(component) && isBlock(splitType(component.type)[0])) || !component.isOfDapr

/**
 * Whether a real daprd can serve a component: a type of Dapr that Pillion does not have, or, if chosen, every type. Crypto and
 * conversation stay in Pillion: daprd does not give out their keys.
 */
export const isForDaprd = (
  component: Pick<ComponentResource, 'type' | 'isOfDapr' | 'capabilities'>,
  use: DaprdUse
): boolean => {
  const [category] = splitType(component.type)
  if (use === 'never' || !isBlock(category) || ['crypto', 'conversation'].includes(category)) return false
  return component.isOfDapr && (use === 'always' || !isBuilt(component))
}

export const INSTALL_DAPRD = '"dapr init --slim" of Dapr’s own CLI installs one; one in the PATH is found, too'

/** Use of a real daprd. `needed`: for types that Pillion does not serve; `always`: for all types, to compare. */
export type DaprdUse = 'needed' | 'always' | 'never'

const DAPRD_USES: Readonly<Record<string, DaprdUse>> = {always: 'always', never: 'never', off: 'never'}

/** Reads `PILLION_DAPRD`. */
export const daprdUseOf = (env: Environment): DaprdUse =>
  ownOf(DAPRD_USES, (env['PILLION_DAPRD'] ?? '').toLowerCase()) ?? 'needed'
