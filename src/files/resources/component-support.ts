import type {Environment} from '../../model/environment.ts'
import {capabilitiesOf, isBlock, isComponentType, splitType} from './component-types.ts'
import type {ComponentResource} from './components.ts'

/** Whether its type is built. */
export const isBuilt = ({type}: ComponentResource): boolean => isComponentType(type)

/** Whether Dapr has its type, and we have not. */
export const isUnbuilt = ({type, isOfDapr}: ComponentResource): boolean => !isComponentType(type) && isOfDapr

/** Whether it is opened for calls; the start of one whose type nobody has fails. What Dapr alone has is left out. */
export const isOpened = ({type, isOfDapr}: ComponentResource): boolean =>
  capabilitiesOf(type) !== undefined || !isOfDapr

/** Whether a real daprd next to the app can have it: of Dapr's types for our blocks those that we have not, or all of them. Keys would not leave it. */
export const isForDaprd = ({type, isOfDapr}: Pick<ComponentResource, 'type' | 'isOfDapr'>, use: DaprdUse): boolean => {
  const [category] = splitType(type)
  if (use === 'never' || !isBlock(category) || ['crypto', 'conversation'].includes(category) || !isOfDapr) return false
  return use === 'always' || !isComponentType(type)
}

/** How to install a daprd. */
export const INSTALL_DAPRD = '"dapr init --slim" of Dapr’s own CLI installs one; one in the PATH is found, too'

/** `always`: also for what we have ourselves, to compare. */
export type DaprdUse = 'needed' | 'always' | 'never'

/** Reads `PILLION_DAPRD`. */
export const daprdUseOf = (env: Environment): DaprdUse => {
  switch ((env['PILLION_DAPRD'] ?? '').toLowerCase()) {
    case 'always':
      return 'always'
    case 'never':
    case 'off':
      return 'never'
    default:
      return 'needed'
  }
}
