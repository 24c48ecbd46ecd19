import {codeOf} from '../model/errors.ts'
import {readDocuments} from './documents.ts'

/** The parts of a Configuration's `spec` that keep somebody out or change what passes (Dapr: pkg/config/configuration.go). */
const RESTRICTIONS: Readonly<Record<string, (value: unknown) => boolean>> = {
  accessControl: value => value !== undefined && value !== null,
  mtls: value => isRecord(value) && value['enabled'] === true,
  httpPipeline: value => isRecord(value) && isFilled(value['handlers']),
  appHttpPipeline: value => isRecord(value) && isFilled(value['handlers']),
  api: value => isRecord(value) && (isFilled(value['allowed']) || isFilled(value['denied']))
}

/** The keys of a Dapr Configuration that restrict who may call what; none where there is no file. Throws where it cannot be read. */
export function restrictionsIn(file: string): readonly string[] {
  const found = new Set<string>()
  for (const document of documentsIn(file)) {
    const spec = isRecord(document) && document['kind'] === 'Configuration' ? document['spec'] : undefined
    if (!isRecord(spec)) continue
    for (const [key, restricts] of Object.entries(RESTRICTIONS)) if (restricts(spec[key])) found.add(key)
  }
  return [...found]
}

/** Whether a Configuration switches tracing off: `spec.tracing.samplingRate` is 0 (Dapr: pkg/diagnostics/utils, GetTraceSamplingRate). */
export function tracesNothing(file: string): boolean {
  try {
    return documentsIn(file, text => /samplingRate\W+0/.test(text)).some(document => {
      const spec = isRecord(document) && document['kind'] === 'Configuration' ? document['spec'] : undefined
      const tracing = isRecord(spec) ? spec['tracing'] : undefined
      const rate = isRecord(tracing) ? tracing['samplingRate'] : undefined
      return (typeof rate === 'string' || typeof rate === 'number') && rate !== '' && Number(rate) === 0
    })
  } catch {
    return false // a warning tells of it, see `restrictionsIn`
  }
}

/** Dapr's default Configuration need not be there. */
function documentsIn(file: string, isWanted: (text: string) => boolean = () => true): readonly unknown[] {
  try {
    return file === '' ? [] : readDocuments(file, isWanted)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0
