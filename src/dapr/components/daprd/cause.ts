import type {OpenedByDaprd} from './daprd-access.ts'
import {messageOf} from '../../../model/errors.ts'

/** Texts that daprd puts in front of a component's error (Dapr: pkg/messages/predefined.go): our blocks do the same. */
const LEADS: readonly RegExp[] = [
  /^fail to get .*? from state store \S+: /s,
  /^failed (?:saving|deleting) state (?:in state store \S+|with key .*?): /s,
  /^error while executing state transaction: /,
  /^error when publish(?:ing)? to topic .*? in pubsub \S+: /s,
  /^failed getting secrets? .*?from secret store \S+: /s,
  /^failed to get \[.*?\] from Configuration store \S+: /s,
  /^failed to subscribe \[.*?\] from Configuration store \S+: /s,
  /^failed to try acquiring lock: /,
  /^failed to release lock: /,
  /^error invoking output binding \S+: /
]

/** The error text of a component of daprd. */
export function causeOf(error: unknown): string {
  const text = messageOf(error)
  const lead = LEADS.map(each => each.exec(text)?.[0] ?? '').find(each => each !== '') ?? ''
  return text.slice(lead.length)
}

/** Calls a method for a component; its errors are those of the component. */
export const callerOf =
  ({access}: OpenedByDaprd) =>
  async (method: string, message: Uint8Array): Promise<Uint8Array> => {
    try {
      return await access.call(method, message)
    } catch (error) {
      throw new Error(causeOf(error), {cause: error})
    }
  }
