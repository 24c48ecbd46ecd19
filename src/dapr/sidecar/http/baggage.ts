import {goQuote} from './go-text.ts'
import {decoded} from '../../../model/bytes.ts'

/*
 * Checks W3C Baggage, a list of `key=value;property,…`, as OpenTelemetry for Go does. Dapr rejects requests with other baggage.
 */

const MAX_BYTES = 8192
const MAX_MEMBER_BYTES = 4096
const MAX_MEMBERS = 180

const KEY = String.raw`[\w!#$%&'*+\-.^\x60|~]+`
const VALUE = String.raw`[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*`
const MEMBER = new RegExp(`^\\s*(${KEY})\\s*=\\s*${VALUE}\\s*$`)
const PROPERTY = new RegExp(`^\\s*${KEY}\\s*(?:=\\s*${VALUE}\\s*)?$`)

const memberFault = (member: string): string => {
  if (member.length > MAX_MEMBER_BYTES) return `list-member too large: ${member.length}`
  const [pair = '', ...properties] = member.split(';')
  const property = properties.find(each => each !== '' && !PROPERTY.test(each))
  if (property !== undefined) return `invalid baggage list-member property: ${goQuote(decoded(property))}`
  return MEMBER.test(pair) ? '' : `invalid baggage list-member: ${goQuote(decoded(member))}`
}

/** Returns the mistake in a baggage header; '': none. */
export const baggageFault = (baggage: string): string => {
  if (baggage === '') return ''
  if (baggage.length > MAX_BYTES) return `baggage-string too large: ${baggage.length}`
  const members = baggage.split(',')
  const fault = members.map(memberFault).find(each => each !== '')
  if (fault !== undefined) return fault
  const keys = new Set(members.map(member => MEMBER.exec(member.split(';')[0] ?? '')?.[1]))
  return keys.size > MAX_MEMBERS ? 'too many list-members in baggage-string' : ''
}
