//! The `porchlight` program as its users meet it: started as a process, asked by arguments, judged by what it prints.

#[cfg(test)]
mod cli;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod serving;
