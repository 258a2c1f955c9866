//! Who lives in the demo, and what happens between them, from one community to the other and back.

use std::time::Duration;

use domain::Visibility;
use domain::account::Role;

use super::people::{Sketch, Somebody, Words};
use super::{MAPLE, Stage, WILLOW, introduce, pictures};

/// Who they are; those of Maple Street first.
pub const PEOPLE: [Sketch; 6] = [
    Sketch {
        name: "dana",
        display_name: "Dana",
        role: Role::Owner,
        note: "Two teens, one dog, and a porch light that stays on.\n\nI bake bread that does not rise and answer after ten. \
               If you cannot sleep, write.",
        fields: &[("At home", "two teens, one dog"), ("Awake", "ten to midnight, most nights")],
        avatar: (pictures::lantern_face, "A lantern glowing at dusk"),
        header: (pictures::street_header, "A row of houses in the evening, some windows lit"),
    },
    Sketch {
        name: "priya",
        display_name: "Priya 🌼",
        role: Role::Moderator,
        note: "A boy, a girl, a balcony full of marigolds. I help look after Maple Street, mostly at lunch and from my phone.",
        fields: &[
            ("At home", "a boy and a girl, both at school"),
            ("Grows", "#marigolds, and whatever the seed swap brings"),
        ],
        avatar: (pictures::marigold_face, "A marigold"),
        header: (pictures::marigold_header, "Rows of marigolds in the low sun"),
    },
    Sketch {
        name: "june",
        display_name: "June",
        role: Role::Member,
        note: "Children's librarian with a small one and a tall one. Tell me who it is for and I will find the book.",
        fields: &[("At home", "one small, one tall"), ("Reading", "whatever is on the floor")],
        avatar: (pictures::book_face, "An open picture book"),
        header: (pictures::shelf_header, "Two shelves of books, and plants between them"),
    },
    Sketch {
        name: "marisol",
        display_name: "Marisol",
        role: Role::Owner,
        note: "Night nurse, mother of two. Duermo cuando ustedes desayunan.\n\nEnglish y español, both before coffee.",
        fields: &[("En casa", "dos hijos y una abuela"), ("Awake", "while you sleep")],
        avatar: (pictures::moon_face, "A crescent moon among stars"),
        header: (pictures::city_header, "A city at night under the moon"),
    },
    Sketch {
        name: "tess",
        display_name: "Tess",
        role: Role::Member,
        note: "Cooks for six, eats standing up. Recipes with few pots and fewer rules.",
        fields: &[("At home", "four at the table, two who come by for dinner"), ("Best at", "soup")],
        avatar: (pictures::soup_face, "A bowl of soup, steaming"),
        header: (pictures::kitchen_header, "Pans hanging in a row in a kitchen"),
    },
    Sketch {
        name: "ola",
        display_name: "Ola",
        role: Role::Member,
        note: "Allotment, three hens, one teenager who pretends not to like any of it. Ask me about tomatoes. Please.",
        fields: &[("At home", "one teenager"), ("Grows", "#tomatoes, beans, patience")],
        avatar: (pictures::tomato_face, "A ripe tomato"),
        header: (pictures::garden_header, "Garden beds in the morning sun"),
    },
];

/// How many of [`PEOPLE`] live on Maple Street.
pub const ON_MAPLE: usize = 3;

/// Everybody, in place.
struct Cast<'s> {
    dana: Somebody<'s>,
    priya: Somebody<'s>,
    june: Somebody<'s>,
    marisol: Somebody<'s>,
    tess: Somebody<'s>,
    ola: Somebody<'s>,
}

const HOUR: Duration = Duration::from_secs(60 * 60);
const MINUTE: Duration = Duration::from_secs(60);

/// Tells it all, and ends now.
///
/// # Errors
/// When something that should arrive never does.
pub async fn tell(stage: &Stage) -> anyhow::Result<()> {
    stage.until(20 * 24 * HOUR).await?;
    introduce(&stage.maple, &MAPLE).await?;
    introduce(&stage.willow, &WILLOW).await?;
    let cast = Box::pin(everybody_joins(stage)).await?;
    Box::pin(everybody_meets(&cast)).await?;
    Box::pin(a_night(stage, &cast)).await?;
    Box::pin(a_hard_day(stage, &cast)).await?;
    Box::pin(an_evening(stage, &cast)).await?;
    Box::pin(a_rainy_day(stage, &cast)).await?;
    Box::pin(in_private(stage, &cast)).await?;
    stage.until(Duration::ZERO).await
}

async fn everybody_joins(stage: &Stage) -> anyhow::Result<Cast<'_>> {
    let [dana, priya, june, marisol, tess, ola] = &PEOPLE;
    Ok(Cast {
        dana: Somebody::joins(&stage.maple, dana).await?,
        priya: Somebody::joins(&stage.maple, priya).await?,
        june: Somebody::joins(&stage.maple, june).await?,
        marisol: Somebody::joins(&stage.willow, marisol).await?,
        tess: Somebody::joins(&stage.willow, tess).await?,
        ola: Somebody::joins(&stage.willow, ola).await?,
    })
}

async fn everybody_meets(Cast { dana, priya, june, marisol, tess, ola }: &Cast<'_>) -> anyhow::Result<()> {
    let friends = [
        (dana, priya),
        (dana, june),
        (priya, june),
        (marisol, tess),
        (marisol, ola),
        (tess, ola),
        (dana, marisol),
        (dana, ola),
        (priya, tess),
        (priya, ola),
        (june, ola),
        (june, tess),
    ];
    for (one, other) in friends {
        one.follows(other).await?;
        other.follows(one).await?;
    }
    Ok(())
}

async fn a_night(stage: &Stage, Cast { dana, priya, june, marisol, tess, ola }: &Cast<'_>) -> anyhow::Result<()> {
    stage.until(60 * HOUR).await?;
    let hello = priya
        .says(Words {
            text: "We are forty people on Maple Street today. I still know each of you by what you grow, what you cook, or what \
                   keeps you up at night. Let's keep it that way. Say hello if you are new. #introductions",
            ..Words::default()
        })
        .await?;
    priya.pins(hello).await?;
    for friend in [dana, june, ola] {
        friend.likes(priya, hello).await?;
    }

    stage.until(50 * HOUR).await?;
    let porch = dana
        .says(Words {
            text: "Both teens asleep before eleven, which never happens. The porch light is on. Who else is up? #nightshift",
            ..Words::default()
        })
        .await?;
    dana.pins(porch).await?;
    stage.until(50 * HOUR - 6 * MINUTE).await?;
    let up = marisol.answers(dana, porch, "Me, on my break. Four hours to go, and the tea here is terrible.").await?;
    marisol.shares(dana, porch).await?;
    stage.until(50 * HOUR - 9 * MINUTE).await?;
    let kettle = dana
        .answers(
            marisol,
            up,
            "I would bring you a flask if you were not three hundred miles away. The kettle is on anyway.",
        )
        .await?;
    marisol.likes(dana, kettle).await?;
    stage.until(50 * HOUR - 14 * MINUTE).await?;
    let blanket = ola
        .answers(dana, porch, "Up too. One of the hens has opinions about the new door, and the whole street knows.")
        .await?;
    dana.likes(ola, blanket).await?;
    for friend in [marisol, ola, tess] {
        friend.likes(dana, porch).await?;
    }

    stage.until(43 * HOUR).await?;
    let dawn = marisol
        .says(Words {
            text: "Turno terminado. Amanece, y el café de la azotea sabe a gloria. Buenas noches, que para mí ya lo son. #nightshift",
            pictures: &[(
                pictures::dawn,
                "Amanecer sobre la ciudad, visto desde una azotea. Una taza blanca humea sobre el muro.",
            )],
            language: "es",
            ..Words::default()
        })
        .await?;
    dana.shares(marisol, dawn).await?;
    dana.likes(marisol, dawn).await?;
    dana.answers(marisol, dawn, "Sleep well. You held the night up for all of us.").await?;
    Ok(())
}

async fn a_hard_day(stage: &Stage, Cast { dana, priya, june, tess, ola, .. }: &Cast<'_>) -> anyhow::Result<()> {
    stage.until(31 * HOUR).await?;
    let school = priya
        .says(Words {
            text: "Third call from the school this month. He is fine, they are fine. I cried in the car for ten minutes and then \
                   went to buy onions. That is all. Thank you for being somewhere I can say it.",
            warning: "School worries. No advice needed, just ears",
            ..Words::default()
        })
        .await?;
    stage.until(31 * HOUR - 8 * MINUTE).await?;
    let here =
        tess.answers(priya, school, "I know that car park. No advice. I am here, and I have onions too.").await?;
    priya.likes(tess, here).await?;
    dana.answers(priya, school, "Heard. Ring the bell on your way home if you want; you do not have to talk.").await?;
    for friend in [dana, june, ola, tess] {
        friend.likes(priya, school).await?;
    }
    Ok(())
}

async fn an_evening(stage: &Stage, Cast { dana, priya, june, marisol, tess, ola }: &Cast<'_>) -> anyhow::Result<()> {
    stage.until(26 * HOUR).await?;
    let soup = tess
        .says(Words {
            text: "Soup for six, one pot, twenty minutes: two onions, a big spoon of paprika, red lentils, whatever vegetable \
                   looks at you sadly, stock. Lemon at the end. Even the picky one had seconds. #dinner",
            pictures: &[(pictures::soup, "A red pot of lentil soup, steaming on the stove, with a wooden spoon in it.")],
            ..Words::default()
        })
        .await?;
    priya.shares(tess, soup).await?;
    for friend in [priya, june, marisol] {
        friend.likes(tess, soup).await?;
    }
    stage.until(24 * HOUR).await?;
    let made = dana
        .answers(tess, soup, "Made it tonight, with twice the lemon. Silence at the table, the highest mark they give.")
        .await?;
    tess.likes(dana, made).await?;

    stage.until(22 * HOUR).await?;
    let frost = ola
        .says(Words {
            text: "First frost tonight. The last tomatoes are out there under my good blanket, and the green ones have become \
                   seven jars of chutney. The whole house smells of vinegar and I regret nothing. #gardening #tomatoes",
            pictures: &[
                (pictures::frost, "A raised bed at dusk, frost on the grass. A pale blanket lies over the last tomato plants."),
                (pictures::jars, "Jars of green chutney on a windowsill beside two green tomatoes; outside, a starry night."),
            ],
            ..Words::default()
        })
        .await?;
    ola.pins(frost).await?;
    stage.until(22 * HOUR - 5 * MINUTE).await?;
    let trade = priya.answers(ola, frost, "Save me a jar? I have marigold seeds to trade. #gardening").await?;
    let shipwreck =
        june.answers(ola, frost, "What do you do with the plants afterwards? Ours look like a shipwreck.").await?;
    stage.until(22 * HOUR - 12 * MINUTE).await?;
    let two = ola.answers(priya, trade, "Two jars. One for you, and one for whoever opens the door.").await?;
    ola.answers(june, shipwreck, "Pull them up on a dry day, compost what is clean, and forgive the rest.").await?;
    priya.likes(ola, two).await?;
    for friend in [dana, june, tess, marisol, priya] {
        friend.likes(ola, frost).await?;
    }
    priya.shares(ola, frost).await?;
    dana.shares(ola, frost).await
}

async fn a_rainy_day(stage: &Stage, Cast { dana, priya, june, tess, ola, .. }: &Cast<'_>) -> anyhow::Result<()> {
    stage.until(5 * HOUR).await?;
    let fort = june
        .says(Words {
            text: "It rains, so we built a fort, and nobody may come in without a book. I have been in here since lunch. I may \
                   stay. #rainyday",
            pictures: &[(pictures::fort, "A fort of striped blankets with a lantern inside, books at its door, and a string of coloured lights.")],
            ..Words::default()
        })
        .await?;
    stage.until(5 * HOUR - 10 * MINUTE).await?;
    let room = tess.answers(june, fort, "Is there room for one more, and does a cookbook count?").await?;
    stage.until(5 * HOUR - 11 * MINUTE).await?;
    let double = june.answers(tess, room, "Cookbooks count double.").await?;
    tess.likes(june, double).await?;
    for friend in [dana, priya, ola, tess] {
        friend.likes(june, fort).await?;
    }
    ola.shares(june, fort).await?;

    stage.until(2 * HOUR).await?;
    let library = june
        .says(Words {
            text: "Library with the small one tomorrow at ten, by the big radiator. Come and sit with us, talking is optional.",
            audience: Some(Visibility::Followers),
            ..Words::default()
        })
        .await?;
    priya.likes(june, library).await?;
    stage.until(40 * MINUTE).await?;
    let bread = dana
        .says(Words {
            text: "Bread report: flat, dense, and gone before it was cold. I am calling it a success. #dinner",
            ..Words::default()
        })
        .await?;
    tess.likes(dana, bread).await
}

async fn in_private(stage: &Stage, Cast { dana, priya, marisol, tess, .. }: &Cast<'_>) -> anyhow::Result<()> {
    stage.until(30 * MINUTE).await?;
    let offer = priya
        .tells(
            tess,
            None,
            "Thank you for yesterday. Could I have the lentil recipe with amounts? I promise not to improve it.",
        )
        .await?;
    let amounts =
        tess.tells(priya, Some(offer), "One mug of lentils to four of stock. Improve it all you like.").await?;
    priya.receives(tess, amounts).await?;
    stage.until(20 * MINUTE).await?;
    let ask = marisol.tells(dana, None, "Are you up? Can I tell you something, just you?").await?;
    stage.until(18 * MINUTE).await?;
    let answer = dana.tells(marisol, Some(ask), "Of course. I am here, and the kettle is on.").await?;
    stage.until(15 * MINUTE).await?;
    let told = marisol
        .tells(
            dana,
            Some(answer),
            "They offered me the day shift. I would see the children awake. I am afraid to say yes, isn't that silly?",
        )
        .await?;
    dana.receives(marisol, told).await?;
    Ok(())
}
