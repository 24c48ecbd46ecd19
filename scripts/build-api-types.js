// Compiles schema/api.yaml to types: one for each schema, and what each route answers. openapi-typescript and others of its kind
// need the compiler API of TypeScript 5, which ours no longer has; and a keyword that is not known here ends the build.

/** The text of `src/model/api.generated.ts`. */
export function apiTypes({paths, components: {schemas, responses}}) {
  const types = Object.entries(schemas).map(
    ([name, schema]) => `${doc(schema, '')}export type ${name} = ${typeOf(schema, '')}\n`
  )
  const routes = Object.entries(paths).flatMap(([path, {parameters: _parameters, ...methods}]) =>
    Object.entries(methods).map(([method, operation]) => ({name: `${method.toUpperCase()} ${path}`, operation}))
  )
  const contentOf = ({operation}, media) => {
    const {200: answer} = operation.responses
    const {content} = answer.$ref === undefined ? answer : responses[nameOf(answer.$ref)]
    const schema = content?.[media]?.schema
    return schema === undefined ? 'undefined' : typeOf(schema, '  ')
  }
  const table = media => routes.map(route => `  '${route.name}': ${contentOf(route, media)}\n`)
  const ndjson = table('application/x-ndjson').filter(line => !line.endsWith(': undefined\n'))
  return [
    '// Written by build-api-types.js from schema/api.yaml.\n',
    ...types,
    `/** The JSON that each route answers with; undefined: it answers with something else. */\nexport interface Answers {\n${table('application/json').join('')}}\n`,
    `/** What each line is where a route can answer with NDJSON. */\nexport interface Lines {\n${ndjson.join('')}}\n`
  ].join('\n')
}

const KNOWN = new Set([
  ...['type', 'enum', 'const', '$ref', 'oneOf', 'allOf', 'items', 'prefixItems', 'properties', 'required'],
  ...['additionalProperties', 'unevaluatedProperties', 'description', 'default', 'format', 'pattern', 'minimum'],
  ...['maximum', 'exclusiveMinimum', 'minItems', 'maxItems', 'minLength', 'minProperties']
])

function typeOf(schema, indent) {
  const unknown = Object.keys(schema).find(key => !KNOWN.has(key))
  if (unknown !== undefined) throw new Error(`schema/api.yaml: types are not made of "${unknown}"`)
  const {$ref, oneOf, allOf, properties, type} = schema
  if ($ref !== undefined) return nameOf($ref)
  if (oneOf !== undefined) return oneOf.map(each => typeOf(each, indent)).join(' | ')
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map(value => JSON.stringify(value)).join(' | ')
  const parts = (allOf ?? []).map(each => typeOf(each, indent))
  if (properties !== undefined) parts.push(objectOf(schema, indent))
  if (parts.length > 0) return parts.join(' & ')
  return [type]
    .flat()
    .map(one => plainOf(one, schema, indent))
    .join(' | ')
}

function plainOf(type, {items, prefixItems, additionalProperties}, indent) {
  if (type === 'integer') return 'number'
  if (type === 'array' && prefixItems !== undefined)
    return `readonly [${prefixItems.map(each => typeOf(each, indent)).join(', ')}]`
  if (type === 'array') return `readonly ${inBrackets(typeOf(items ?? {}, indent))}[]`
  if (type !== 'object') return type ?? 'unknown'
  const value = typeof additionalProperties === 'object' ? typeOf(additionalProperties, indent) : 'unknown'
  return `Readonly<Record<string, ${value}>>`
}

const inBrackets = text => (/^\w+$/.test(text) || /^\{[^]*\}$/.test(text) ? text : `(${text})`)

function objectOf({properties, required = []}, indent) {
  const inner = `${indent}  `
  const lines = Object.entries(properties).map(([name, schema]) => {
    const mark = required.includes(name) ? '' : '?'
    return `${doc(schema, inner)}${inner}readonly ${name}${mark}: ${typeOf(schema, inner)}\n`
  })
  return `{\n${lines.join('')}${indent}}`
}

const doc = ({description}, indent) =>
  description === undefined ? '' : `${indent}/** ${description.trim().replaceAll('*/', '* /')} */\n`

const nameOf = ref => ref.split('/').at(-1)
