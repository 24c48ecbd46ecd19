import {componentTypeOf, isComponentType} from './component-types.ts'
import type {ComponentResource} from './components.ts'
import {isDaprType} from './dapr-types.ts'

/** Whether its type is built. */
export const isBuilt = ({type}: ComponentResource): boolean => isComponentType(type)

/** Whether Dapr has its type, and we have not. */
export const isUnbuilt = ({type}: ComponentResource): boolean => !isComponentType(type) && isDaprType(type)

/** Whether it is opened for calls; the start of one whose type nobody has fails. What Dapr alone has is left out. */
export const isOpened = ({type}: ComponentResource): boolean => componentTypeOf(type) !== undefined || !isDaprType(type)
