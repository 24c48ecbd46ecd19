import {readFileSync} from 'node:fs'
import {parseAllDocuments} from 'yaml'

/** The parts of a Configuration's `spec` that keep somebody out or change what passes (Dapr: pkg/config/configuration.go). */
const RESTRICTIONS: Readonly<Record<string, (value: unknown) => boolean>> = {
  accessControl: value => value !== undefined && value !== null,
  mtls: value => isRecord(value) && value['enabled'] === true,
  httpPipeline: value => isRecord(value) && isFilled(value['handlers']),
  appHttpPipeline: value => isRecord(value) && isFilled(value['handlers']),
  api: value => isRecord(value) && (isFilled(value['allowed']) || isFilled(value['denied']))
}

/** The keys of a Dapr Configuration that restrict who may call what; none where the file says nothing or cannot be read. */
export function restrictionsIn(file: string): readonly string[] {
  const found = new Set<string>()
  for (const document of readDocuments(file)) {
    const spec = isRecord(document) && document['kind'] === 'Configuration' ? document['spec'] : undefined
    if (!isRecord(spec)) continue
    for (const [key, restricts] of Object.entries(RESTRICTIONS)) if (restricts(spec[key])) found.add(key)
  }
  return [...found]
}

/** Whether a Configuration switches tracing off: `spec.tracing.samplingRate` is 0 (Dapr: pkg/diagnostics/utils, GetTraceSamplingRate). */
export const tracesNothing = (file: string): boolean =>
  file !== '' &&
  readDocuments(file, text => /samplingRate\W+0/.test(text)).some(document => {
    const spec = isRecord(document) && document['kind'] === 'Configuration' ? document['spec'] : undefined
    const tracing = isRecord(spec) ? spec['tracing'] : undefined
    const rate = isRecord(tracing) ? tracing['samplingRate'] : undefined
    return (typeof rate === 'string' || typeof rate === 'number') && rate !== '' && Number(rate) === 0
  })

function readDocuments(file: string, isWorthIt: (text: string) => boolean = () => true): readonly unknown[] {
  try {
    const text = readFileSync(file, 'utf8')
    return isWorthIt(text) ? parseAllDocuments(text).map(document => document.toJS() as unknown) : []
  } catch {
    return [] // Dapr's default Configuration need not be there
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0
