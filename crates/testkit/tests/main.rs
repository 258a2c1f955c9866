//! The workspace seen as a whole: the rules its code keeps, and several whole servers telling one story each.

mod architecture;
mod counts;
mod crash;
mod first_light;
mod processes;
