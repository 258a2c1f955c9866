//! The workspace seen as a whole: the rules its code keeps, and several whole servers telling one story each.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod blocked;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod counts;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod door;
#[cfg(test)]
mod first_light;
#[cfg(test)]
mod foreign_ids;
#[cfg(test)]
mod forgotten;
#[cfg(test)]
mod forwarded;
#[cfg(test)]
mod fuzzing;
#[cfg(test)]
mod health;
#[cfg(test)]
mod host_names;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod members;
#[cfg(test)]
mod moving;
#[cfg(test)]
mod nothing_elsewhere;
#[cfg(test)]
mod overtaken;
#[cfg(test)]
mod pictures;
#[cfg(test)]
mod pinned;
#[cfg(test)]
mod private_pictures;
#[cfg(test)]
mod processes;
#[cfg(test)]
#[path = "../../fuzz/src/properties.rs"]
mod properties;
#[cfg(test)]
mod reported;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod said_again;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod slow_pictures;
#[cfg(test)]
mod split_domains;
#[cfg(test)]
mod strangers;
#[cfg(test)]
mod unclean;
#[cfg(test)]
mod under_way;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod withdrawn;
