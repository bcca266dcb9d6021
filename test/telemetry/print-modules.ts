import { registerHooks } from 'node:module';

// Loaded before a process under test: names the modules of OpenTelemetry that it loads.
registerHooks({
  resolve: (specifier, context, nextResolve) => {
    const resolved = nextResolve(specifier, context);
    if (resolved.url.includes('@opentelemetry/')) console.error(`loaded ${resolved.url}`);
    return resolved;
  },
});
