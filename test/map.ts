/** Unit tests cover the file of the same name; the others cover nothing by themselves. */
export default (test: string): string | null =>
  /^test\/unit\/|^src\/packages\/[\w-]+\/test\//.test(test)
    ? test
        .replace(/^test\/unit\//, 'src/')
        .replace(/^(src\/packages\/[\w-]+)\/test/, '$1')
        .replace('.test.ts', '.ts')
    : null
