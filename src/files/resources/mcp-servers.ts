import {headOf, type ResourceFile, type ResourceHead} from './field.ts'

/** Dapr's MCPServers (pkg/apis/mcpserver/v1alpha1), as far as they are listed: their tools are not called here. */
export const readMcpServers = ({documents}: ResourceFile): readonly ResourceHead[] =>
  documents.filter(document => document.field('kind').text() === 'MCPServer').map(headOf)
