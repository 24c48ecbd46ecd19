import type {CalledActor} from '../../../model/api.generated.ts'
import {uriDecoded} from '../../../model/or-else.ts'
import type {CallContent} from './call-content.ts'
import {FLAG} from './call-lines.ts'

/** Targets as the recorder has them: of methods with the address of Dapr's API, of firings as their app gets them. */
const METHOD = /^\/v1\.0\/actors\/([^/?]+)\/([^/?]+)\/method\/([^?]+)/
const FIRING = /^\/actors\/([^/?]+)\/([^/?]+)\/method\/((?:timer|remind)\/[^?]+)/

/** The actor that was called; undefined: none. */
export function calledActor({target}: Pick<CallContent, 'target'>, flags: number): CalledActor | undefined {
  const found = ((flags & FLAG.own) === 0 ? METHOD : FIRING).exec(target)
  if (found === null) return undefined
  const [type = '', id = '', method = ''] = found.slice(1).map(uriDecoded)
  return {type, id, method}
}
