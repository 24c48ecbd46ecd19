/** The text of `schema/api.yaml` as JSON. */
declare const openapiText: string
export default openapiText
