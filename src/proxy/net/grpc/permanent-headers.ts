/** HTTP's own names, which may not be mistaken for metadata: they get `dapr-` (pkg/messaging/v1/util.go, isPermanentHTTPHeader). */
export const PERMANENT_HEADER =
  /^(?:accept(?:-charset|-language|-ranges)?|cache-control|content-type|content-length|cookie|date|expect|from|host|if-.*|max-forwards|origin|pragma|referer|via|warning)$/
