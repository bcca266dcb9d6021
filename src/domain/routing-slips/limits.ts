/** Legs that a slip may begin with. */
export const MAX_LEGS = 50;
/** Legs that may ever be put on a slip, those among them that its own legs put there, or took off again. */
export const MAX_LEGS_IN_ALL = 200;
/** Characters of an itinerary with its variables as JSON, and of the variables at any later time. */
export const MAX_CHARACTERS = 65_536;
/** How deep lists and objects may lie in each other, in the arguments of a leg and in a variable. */
export const MAX_DEPTH = 10;
