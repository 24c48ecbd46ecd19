import {TEMPLATE, type Dialect, type TextPart} from './dialects.ts'
import {isNull, resolveScalar} from './scalar.ts'
import {scalarText} from './scalar-text.ts'
import type {YamlNode} from './tree.ts'
import {ownOf} from '../../model/own.ts'

/** Resources: daprd cuts the file (pkg/internal/loader/disk), and sigs.k8s.io/yaml makes JSON of each part by yaml.v2. */
export const RESOURCE: Dialect = {...TEMPLATE, documents: partsOf, keyName: jsonKey}

/** Configurations: yaml.v3 into daprd's structs, which match keys exactly as written (pkg/config, LoadStandaloneConfiguration). */
export const CONFIGURATION_FILE: Dialect = {...TEMPLATE, merge: 'own', hasUniqueKeys: true}

/** Compose files: go.yaml.in/yaml/v4, all documents (compose-go, loader). */
export const COMPOSE_FILE: Dialect = {
  documents: 'all',
  merge: 'own',
  keyName: textKey,
  hasUniqueKeys: true,
  anchorName: /^[!-~]+$/,
  hasYesAndNo: false,
  floatBits: 64
}

/** Numbers that JSON does not have, as keys (sigs.k8s.io/yaml). */
const NO_NUMBERS: Readonly<Record<string, string>> = {'+Inf': '.inf', '-Inf': '-.inf', NaN: '.nan'}

/** Returns a key as sigs.k8s.io/yaml writes it into JSON, or why it refuses the key. */
function jsonKey(key: YamlNode): ReturnType<Dialect['keyName']> {
  if (key.kind !== 'scalar') return noKey(key)
  const {value} = resolveScalar(key)
  const name = scalarText(key, RESOURCE)
  if (value === null) return {name, fault: 'unsupported map key: null'}
  if (typeof value === 'number' && value >= 2 ** 63 && /^\d+$/.test(name))
    return {name, fault: `unsupported map key: ${name} has more than 63 bits`}
  return {name: typeof value === 'number' ? (ownOf(NO_NUMBERS, name) ?? name) : name}
}

function textKey(key: YamlNode): ReturnType<Dialect['keyName']> {
  if (key.kind !== 'scalar') return noKey(key)
  return {name: isNull(key) ? key.text : scalarText(key, COMPOSE_FILE)}
}

const noKey = ({kind}: YamlNode): ReturnType<Dialect['keyName']> => ({
  name: '',
  fault: `invalid map key: a ${kind} is no key`
})

/** Cuts a file as daprd does (`splitYamlDoc`): the rest of the marker's line is dropped, also in a quoted text. */
function partsOf(text: string): readonly TextPart[] {
  const parts = []
  let start = 0
  for (let at = text.indexOf('\n---'); at !== -1; at = text.indexOf('\n---', start)) {
    parts.push({text: text.slice(start, at), start})
    const end = text.indexOf('\n', at + 1)
    // text after a marker on the last line makes Go's scanner fail, which drops the document before the marker
    if (end === -1 && at + 4 < text.length) parts.pop()
    start = end === -1 ? text.length : end + 1
    if (end === -1) break
    start = end + 1
  }
  if (start < text.length || parts.length === 0) parts.push({text: text.slice(start), start})
  return parts
}
