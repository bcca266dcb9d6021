// Loaded once in the context that all workflows of a worker share, then frozen: what is imported here is not evaluated
// and held again for each open workflow. No module of a workflow may keep anything of one in a variable of its own.
import './index.ts';

// The SDK notes the stack of every promise until it settles, for the query `__stack_trace`, at half the CPU time and
// memory of a waiting workflow. Its own frame is the only one then; an error that is thrown keeps the line that threw
// it.
Error.stackTraceLimit = 1;
