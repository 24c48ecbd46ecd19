import type {ResourceFile} from './field.ts'

/** Dapr's MCPServer (pkg/apis/mcpserver/v1alpha1), as far as it is listed: its tools are not called here. */
export interface McpServer {
  readonly name: string
  readonly namespace: string
  /** App ids that it is for; empty: all. */
  readonly scopes: readonly string[]
}

export const readMcpServers = ({documents}: ResourceFile): readonly McpServer[] =>
  documents
    .filter(document => document.field('kind').text() === 'MCPServer')
    .map(document => {
      const metadata = document.field('metadata')
      const scopes = document.field('scopes').items()
      return {
        name: metadata.field('name').text(),
        namespace: metadata.field('namespace').text(),
        scopes: scopes.map(item => item.text())
      }
    })
