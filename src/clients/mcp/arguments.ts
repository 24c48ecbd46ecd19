import {UserError} from '../../model/errors.ts'
import {nearMiss} from '../../model/near-miss.ts'
import type {Arguments, ToolProperty, ToolProperties, Tool} from './tool.ts'
import {emptyRecord, ownOf} from '../../model/own.ts'

/** The argument of every tool, offered only while several runs exist. */
export const RUN: ToolProperty = {type: 'string', description: 'Name of the run; all tools take it'}

/** Checks arguments of a client. Throws a UserError, a sentence with the allowed values. */
export function readArguments({name, properties, required = []}: Tool, given: unknown = {}): Arguments {
  const all: ToolProperties = {...properties, run: RUN}
  const allowed = Object.keys(properties)
  const takes = allowed.length === 0 ? `${name} takes no arguments.` : `${name} takes: ${allowed.join(', ')}.`
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new UserError(`the arguments of ${name} are not an object`, {explanation: takes})
  const read = emptyRecord<unknown>()
  for (const [key, value] of Object.entries(given)) {
    const property = ownOf(all, key)
    if (property === undefined) {
      const near = nearMiss(key, allowed)
      const hint = near === '' ? '' : `Did you mean "${near}"? `
      throw new UserError(`${name} has no argument "${key}"`, {explanation: `${hint}${takes}`})
    }
    // models fill in arguments that they do not mean with null or an empty text
    if (value !== null && (value !== '' || required.includes(key))) read[key] = readValue(name, key, property, value)
  }
  const missing = required.filter(key => !Object.hasOwn(read, key))
  if (missing.length === 0) return read
  const wanted = missing.map(key => `"${key}"`).join(' and ')
  throw new UserError(`${name} needs ${wanted}`, {explanation: takes})
}

const lowered = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)

function readValue(tool: string, key: string, property: ToolProperty, value: unknown): unknown {
  const {type, items, additionalProperties, minimum = -Infinity, maximum = Infinity} = property
  const refused = (expected: string): UserError =>
    new UserError(`"${key}" of ${tool} is ${shown(value)}, and not ${expected}`, {
      explanation: property.description === undefined ? '' : `It is ${lowered(property.description)}.`
    })
  const readPart = (of: ToolProperty['items'], each: unknown): unknown =>
    readValue(tool, key, {type: of?.type ?? 'string'}, each)
  if (type === undefined) return value // any JSON
  switch (type) {
    case 'string': {
      const text = typeof value === 'number' ? value.toString() : value
      if (typeof text !== 'string') throw refused('a text')
      if (property.enum?.includes(text) === false) throw refused(`one of ${property.enum.join(', ')}`)
      return text
    }
    case 'integer':
    case 'number': {
      // models write numbers as texts now and then
      const number = typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : value
      const isFit = typeof number === 'number' && (type === 'number' || Number.isSafeInteger(number))
      if (!isFit) throw refused(type === 'integer' ? 'a whole number' : 'a number')
      if (number < minimum) throw refused(`${minimum} or more`)
      if (number > maximum) throw refused(`${maximum} or less`)
      return number
    }
    case 'boolean':
      if (!['true', 'false'].includes(String(value))) throw refused('true or false')
      return String(value) === 'true'
    case 'array':
      return (Array.isArray(value) ? (value as readonly unknown[]) : [value]).map(each => readPart(items, each))
    case 'object':
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused('an object')
      return Object.fromEntries(
        Object.entries(value).map(([name, each]) => [name, readPart(additionalProperties, each)])
      )
  }
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
