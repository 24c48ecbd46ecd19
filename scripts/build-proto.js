// Compiles the .proto files of Dapr and of OpenTelemetry to tables of fields, which src/proxy/net/grpc/message-codec.ts reads and writes messages by.
import {mkdirSync, readdirSync, writeFileSync} from 'node:fs'
import {basename, join} from 'node:path'
import protobuf from 'protobufjs'

/** Each has a folder `proto`, and gets a folder `messages`. */
const FOLDERS = ['src/model/dapr', 'src/model/otlp']

/** Types of fields as the tables name them; an enum is an int32. */
const SCALARS = new Set([
  'string',
  'bytes',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'bool',
  'float',
  'double',
  'fixed32',
  'fixed64'
])

/** Of messages of Google: a Struct is made and read by src/proxy/net/grpc/struct.ts. */
const WITHOUT_TABLE = new Set(['.google.protobuf.Struct', '.google.protobuf.Value'])

/** Read as bytes. An AnyValue holds lists and maps of its own kind, which a constant cannot: who reads it decodes these. */
const AS_BYTES = new Set([
  ...WITHOUT_TABLE,
  '.opentelemetry.proto.common.v1.ArrayValue',
  '.opentelemetry.proto.common.v1.KeyValueList'
])

/** `UnlockResponse_Status` of `.dapr.proto.runtime.v1.UnlockResponse.Status`. */
const nameOf = type => (type.parent instanceof protobuf.Type ? `${nameOf(type.parent)}_${type.name}` : type.name)

/** Google's own come with the parser, without a file. */
const fileOf = ({filename}) => (filename === null ? 'google' : basename(filename, '.proto'))

/** All messages or enums of a namespace, those inside of others included. */
const within = (space, kind) =>
  (space.nestedArray ?? []).flatMap(each => [...(each instanceof kind ? [each] : []), ...within(each, kind)])

/** A list of Google's holds lists: nothing reads it by a table. */
const messagesOf = root =>
  within(root, protobuf.Type).filter(
    ({fullName}) => !WITHOUT_TABLE.has(fullName) && fullName !== '.google.protobuf.ListValue'
  )

/** What a field holds, as a part of a table. Throws for what the codec does not know. */
function typeOf(field, nameUsed) {
  const {resolvedType} = field
  const isMessage = resolvedType instanceof protobuf.Type && !AS_BYTES.has(resolvedType.fullName)
  const scalar = resolvedType === null ? field.type : resolvedType instanceof protobuf.Enum ? 'int32' : 'bytes'
  const unknown = new Error(`${field.fullName}: the codec has no ${field.repeated ? 'repeated ' : ''}${field.type}`)
  if (field.map) {
    if (field.keyType !== 'string') throw unknown
    if (isMessage) return `{mapOf: ${nameUsed(resolvedType)}}`
    if (scalar === 'string') return "'map'"
    throw unknown
  }
  if (isMessage) return `{${field.repeated ? 'list' : 'message'}: ${nameUsed(resolvedType)}}`
  if (!SCALARS.has(scalar)) throw unknown
  if (!field.repeated) return `'${scalar}'`
  if (scalar === 'string') return "'strings'"
  throw unknown
}

/** One line of a table. `optional`, or one of several: absent differs from empty. */
function fieldLine(field, nameUsed) {
  const type = typeOf(field, nameUsed)
  const isOptional = field.partOf !== null && !type.startsWith('{')
  return `  ${protobuf.util.camelCase(field.name)}: [${field.id}, ${type}${isOptional ? ", 'optional'" : ''}]`
}

/** Those that others use come first. Throws where a message holds itself, which a constant cannot. */
function inOrder(types) {
  const done = new Set()
  const begun = new Set()
  const visit = type => {
    if (done.has(type) || !types.includes(type)) return
    if (begun.has(type)) throw new Error(`${type.fullName} holds itself`)
    begun.add(type)
    for (const {resolvedType} of type.fieldsArray)
      if (resolvedType instanceof protobuf.Type && !AS_BYTES.has(resolvedType.fullName)) visit(resolvedType)
    done.add(type)
  }
  for (const type of types) visit(type)
  return [...done]
}

/** The module for one file, with the messages of other files that it uses. */
function moduleOf(file, root) {
  const own = each => fileOf(each) === file
  const imports = new Map()
  const nameUsed = type => {
    if (!own(type)) imports.set(fileOf(type), (imports.get(fileOf(type)) ?? new Set()).add(nameOf(type)))
    return nameOf(type)
  }
  const types = inOrder(messagesOf(root).filter(own))
  const tables = types.map(type => {
    const lines = type.fieldsArray.toSorted((a, b) => a.id - b.id).map(field => fieldLine(field, nameUsed))
    return `export const ${nameOf(type)} = {${lines.length === 0 ? '' : `\n${lines.join(',\n')}\n`}} as const\n`
  })
  const enums = within(root, protobuf.Enum)
    .filter(each => own(each) && each.filename !== null)
    .map(({parent, name, values}) => `export const ${nameOf({parent, name})} = ${JSON.stringify(values)} as const\n`)
  const lines = [...imports].map(([from, names]) => `import {${[...names].join(', ')}} from './${from}.generated.ts'\n`)
  const title = `// Compiled by scripts/build.js from ${file}.proto.\n`
  return [title + lines.join(''), ...tables, ...enums].join('\n')
}

/** Writes a module for each .proto file that has messages, and for those of Google that they use. */
function compileFolder(folder) {
  const proto = join(folder, 'proto')
  const out = join(folder, 'messages')
  const root = new protobuf.Root()
  root.resolvePath = (from, to) => (to.startsWith('google/') ? to : join(proto, basename(to)))
  root.loadSync(readdirSync(proto).filter(name => name.endsWith('.proto')))
  root.resolveAll()
  mkdirSync(out, {recursive: true})
  for (const file of new Set(messagesOf(root).map(fileOf)))
    writeFileSync(join(out, `${file}.generated.ts`), moduleOf(file, root))
}

export function compileProto() {
  for (const folder of FOLDERS) compileFolder(folder)
}

// By itself: `node scripts/build-proto.js`, after a change of a .proto file.
if (import.meta.main) compileProto()
