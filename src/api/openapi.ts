import openapiText from './openapi.generated.js'
import type {ApiResponse} from './problem.ts'

/** The description of the API, `schema/api.yaml`. */
export const openapi = (): ApiResponse => ({status: 200, type: 'application/json', body: openapiText})
