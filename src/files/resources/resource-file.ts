import type {FileVariables} from '../../model/expansion.ts'
import {RESOURCE} from '../yaml/other-dialects.ts'
import {explainFault} from '../yaml/explain.ts'
import {withGoLines, readYaml} from '../yaml/read.ts'
import {isNull} from '../yaml/scalar.ts'
import {FaultyFile, MAX_FAULTS, type ResourceFault, type ResourceSource} from './fault.ts'
import {Field, type PlacedReference} from './field.ts'

/** The YAML documents of a file, and its faults, to which readers of the fields add. */
export interface ResourceFile {
  /** The root of each document that is YAML, and not empty. */
  readonly documents: readonly Field[]
  readonly faults: ResourceFault[]
  /** The `${…}` of its values. */
  readonly references: readonly PlacedReference[]
}

/** Reads a file as daprd does: each document alone, so that a broken one hides no other. `variables` are the values for `${…}`. */
export function parseResourceFile(from: ResourceSource, variables?: FileVariables, dialect = RESOURCE): ResourceFile {
  const source = {...from, text: withGoLines(from.text.replace(/^\uFEFF/, ''))}
  const file = new FaultyFile(source, dialect)
  const documents: Field[] = []
  const references: PlacedReference[] = []
  const hasVariables = source.text.includes('${')
  let broken = 0
  for (const {root, fault} of readYaml(source.text, dialect)) {
    if (fault !== undefined) {
      // counted apart from the warnings, so that each broken document has a fault
      if (broken++ < MAX_FAULTS) file.yamlError(explainFault(fault, source.text))
    } else if (!isNull(root)) {
      const document = new Field(file, {node: root, start: root.spot.start, path: ''})
      if (hasVariables) references.push(...document.expand(variables))
      documents.push(document)
    }
  }
  return {documents, faults: file.faults, references}
}

/** Metadata and scopes of every resource. */
export interface ResourceHead {
  readonly name: string
  readonly namespace: string
  /** Ids of the apps that may use the resource; without any, all apps may. */
  readonly scopes: readonly string[]
}

export const headOf = (document: Field): ResourceHead => ({
  name: document.field('metadata').field('name').text(),
  namespace: document.field('metadata').field('namespace').text(),
  scopes: document.field('scopes').texts()
})
