/** `@types/seedrandom` describes only the package's main entry, which loads every generator and node:crypto. */
declare module "seedrandom/lib/alea.js" {
  export default function alea(seed: string): () => number;
}
