import {BlockError} from './block-error.ts'

// oxlint-disable-next-line no-control-regex -- they are forbidden
const IN_NAMES = /[#?/\\\x00-\x1f\x7f]/
// oxlint-disable-next-line no-control-regex -- they are forbidden
const IN_METHODS = /[#?\\\x00-\x1f\x7f]/

const bad = (what: string, why: string, text: string): BlockError =>
  new BlockError(
    [400, 'invalidArgument', 'ERR_BAD_REQUEST'],
    `invalid request: invalid ${what}: ${why}: ${JSON.stringify(text)}`
  )

function checkName(what: string, text: string): void {
  if (IN_NAMES.test(text)) throw bad(what, 'name contains forbidden character', text)
  if (text === '.' || text === '..') throw bad(what, 'name is a path traversal sequence', text)
}

/** Throws for names that cannot be part of a path (Dapr: pkg/messaging/method, ValidateName). */
export function checkActor(type: string, id: string): void {
  checkName('actorType', type)
  checkName('actorId', id)
}

/** Throws for a name of a timer or reminder that is empty, or cannot be part of a path. */
export function checkFiring(kind: 'reminder' | 'timer', name: string): void {
  if (name === '')
    throw new BlockError(
      [400, 'invalidArgument', 'ERR_BAD_REQUEST'],
      `invalid request: invalid ${kind} name: ${kind} name cannot be empty`
    )
  checkName(`${kind} name`, name)
}

/** Throws for a method that cannot be part of a path. */
export function checkMethod(method: string): void {
  if (IN_METHODS.test(method)) throw bad('actor method', 'method contains forbidden character', method)
}
